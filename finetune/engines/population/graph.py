"""The TensorFlow graph that trains and evaluates many rows of weights at once.

A row is one trajectory: its weights, its other variables (moving statistics, seed states) and its
optimizer slots, each stacked on a leading row axis. The number of rows may differ from call to
call; everything is traced once.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from finetune.engines.keras_problem import KerasProblem
from finetune.engines.population.batches import columns, one_axis, over_batches, swapped
from finetune.engines.population.exactness import check_exact
from finetune.engines.population.frozen_beginning import after_frozen_beginning
from finetune.engines.population.groups import Epoch, GroupSizes
from finetune.engines.population.joined_weights import JoinedWeights
from finetune.engines.population.model_trace import in_words, layer_in, trace_gradients
from finetune.engines.population.other_variables import OtherVariables
from finetune.engines.population.row_multiple import row_multiple
from finetune.engines.population.state import Data, SplitTensors, State
from finetune.engines.population.stateless_model import StatelessModel
from finetune.engines.population.stateless_optimizer import StatelessOptimizer
from finetune.engines.population.vectorized import MappingError, map_rows
from finetune.engines.problem import Problem
from finetune.errors import NeedsFitError
from finetune.spec.variants import VariantSpec

# Rows of data that are evaluated at once: the activations of a hundred networks then stay in the
# processor's cache.
_EVALUATION_ROWS = 256


class PopulationGraph:
    """Functions over `State`, traced once for a problem, whatever the number of rows.

    The gradient and the update of each row are the model's, the loss's and the optimizer's own
    Keras code for one run, mapped over rows.

    Attributes:
        sizes: How many rows a call of what `trace` returns should train.

    Raises:
        NeedsFitError: The network cannot be mapped over rows exactly.
        SpecError: It cannot be called.
    """

    def __init__(self, problem: Problem):
        self._keras = after_frozen_beginning(KerasProblem(problem))
        self.problem = problem = self._keras.problem
        self.network = self._keras.summary
        # Keras annotates some of what is called here wrongly.
        self._model: Any = self._keras.model
        self._values_per_row = check_exact(self._model, problem.first_row)
        self._call = StatelessModel(self._model)
        optimizer = self._keras.optimizer()
        gradients = trace_gradients(self._model, problem.first_row)
        self._weights = JoinedWeights(self._model.trainable_variables, optimizer, gradients)
        self._optimizer = StatelessOptimizer(optimizer, self._weights.variables)
        self._others = OtherVariables(self._keras, problem)
        self._batch_size = problem.spec.training.batch_size
        self._itemsize = np.dtype(problem.spec.training.dtype).itemsize
        # What later tasks need to know of its speed.
        self.sizes = GroupSizes(
            self._itemsize * self._batch_size * self._values_per_row, self.bytes_of_state()
        )
        self._row_by_row: set[str] = set()
        self._traced: dict[Any, Epoch] = {}
        # A separate `tf.function`, so that splits and batches of one shape share its trace.
        self._measure = tf.function(self._measure_rows, autograph=False)

    def initial_notes(self, variants: Iterable[VariantSpec]) -> tuple[str, ...]:
        """Return which layers begin as those of the study's own network do."""
        return self._keras.initial_notes(variants)

    def initial_values(self, seed: int, *, replicate: int) -> list[np.ndarray]:
        """Draw the initial values of all of the model's variables for a seed."""
        return self._keras.initial_values(self.problem, seed, replicate=replicate)

    def start(self, values: Sequence[list[np.ndarray]]) -> State:
        """Return the state of fresh rows.

        Args:
            values: For each row, a value for each of `model.variables`.
        """
        columns = [np.stack(column) for column in zip(*values, strict=True)]
        # Keras lists variables in another order than trainable and other ones one after another.
        stacked = dict(zip(map(id, self._model.variables), columns, strict=True))
        slots = [
            np.broadcast_to(slot, (len(values), *slot.shape)) for slot in self._optimizer.start()
        ]
        return State(
            self._weights.join(
                [tf.constant(stacked[id(v)]) for v in self._model.trainable_variables]
            ),
            [tf.constant(stacked[id(v)]) for v in self._others.own],
            [tf.constant(slot) for slot in slots],
        )

    def bytes_of_state(self) -> int:
        """Estimate the bytes that a row takes between epochs: its state, and copies of it."""
        variables = self._model.variables
        weights = sum(int(np.prod(variable.shape)) for variable in variables)
        weights -= self._others.n_shared
        slots = sum(slot.size for slot in self._optimizer.start())
        # A step keeps the state before and after it, gradients and some intermediate values.
        return self._itemsize * 3 * (weights + slots)

    def bytes_of_step(self) -> int:
        """Estimate the bytes that a row takes while it is trained: its activations."""
        # What each operation gives for every row of data.
        held = max(self._batch_size, _EVALUATION_ROWS) * self._values_per_row
        if self._keras.metrics:
            # Predictions of a whole split, as they come and as they are ranked, and ranks that are
            # twice as wide.
            held += 6 * self.problem.training_rows * self.problem.n_outputs
        return self._itemsize * held

    def trace(
        self,
        state: State,
        data: SplitTensors,
        *,
        sets,
        order,
        learning_rate,
        iterations,
        splits: tuple[str, ...] = SplitTensors._fields,
    ) -> Epoch:
        """Return a function of these arguments that trains every row for an epoch and measures it.

        It takes any number of rows that `sizes` allows, which depends on what is traced here. It
        returns the rows after the epoch, and what they measure, each (row,): `loss`, the running
        mean of the batch losses, and the loss, accuracy and further metrics on the splits, with
        dropout and the like at rest; accuracy is NaN where none is defined.

        Args:
            state: Rows before an epoch.
            data: All splits of every data set.
            sets: int32, (row,): the data set that each row uses.
            order: int32, (row, row of data): the order in which it visits the training rows.
            learning_rate: (row,).
            iterations: int64 scalar: steps taken before this epoch.
            splits: Those to evaluate on.
        """
        arguments = (state, data, sets, order, learning_rate, iterations)
        # Rows come and go between epochs: with their number left open nothing is traced again.
        flexible = tf.nest.map_structure(_any_length, arguments)
        key = (splits, *tf.nest.flatten(flexible))
        if key not in self._traced:
            traced = tf.function(
                partial(self._epoch, splits), input_signature=flexible, autograph=False
            ).get_concrete_function()
            multiple = row_multiple(traced.graph, self.problem.spec.training.dtype)
            self.sizes.allow_multiples_of(multiple)
            self._traced[key] = traced
        return self._traced[key]

    def _epoch(self, splits, state, data: SplitTensors, sets, order, learning_rate, iterations):
        state, loss = self._train_epoch(state, data.train, sets, order, learning_rate, iterations)
        measured = {"loss": loss}
        for split in splits:
            values = self._evaluate(state, getattr(data, split), sets)
            measured |= {f"{split}_{name}": value for name, value in values.items()}
        return state, measured

    def _train_epoch(self, state: State, data: Data, sets, order, learning_rate, iterations):
        size, rows = self._batch_size, order.shape[1]
        # One long axis of all data sets' rows, so that one gather serves rows of weights that use
        # different data sets.
        flat = tf.nest.map_structure(one_axis, data)
        order = order + sets[:, None] * rows

        def step(begin, length, state, total):
            batch = columns(order, begin, length)
            steps = iterations + tf.cast(begin // size, tf.int64)
            chosen = tf.nest.map_structure(lambda table: tf.gather(table, batch), flat)
            state, loss = self._step(state, chosen, learning_rate, steps)
            # As `fit` does: the batch's mean loss counts as often as it has rows of data.
            return state, total + loss * length

        state, total = over_batches(rows, size, step, (state, tf.zeros_like(learning_rate)))
        return state, total / rows

    def _step(self, state: State, batch: Data, learning_rate, iterations):
        def one_row(row):
            state, (x, y, weight), learning_rate = row
            # Weights are tensors here, not Keras variables, which a tape would watch by itself.
            with tf.GradientTape() as tape:
                tape.watch(weights := self._weights.split(state.weights))
                others = self._others.complete(state.others)
                called = self._call(x, weights=weights, others=others, training=True)
                weight = None if isinstance(weight, tuple) else weight
                loss = _total(self._keras.loss(y, called.predicted, weight), called.penalties)
            weights, slots = self._optimizer.apply(
                self._weights.join(tape.gradient(loss, weights)),
                weights=state.weights,
                slots=state.slots,
                learning_rate=learning_rate,
                iterations=iterations,
            )
            return State(weights, self._others.own_of(called.others), slots), loss

        return self._map(one_row, (state, batch, learning_rate))

    def _evaluate(self, state: State, data: Data, sets) -> dict[str, tf.Tensor]:
        rows: Any = data.y.shape[1]
        # Batches as equal as can be: the smallest number of them, then the smallest size.
        size = -(-rows // -(-rows // _EVALUATION_ROWS))

        def measure(begin, length, loss, accuracy, outputs):
            def some(table):
                return tf.gather(columns(table, begin, length), sets)

            x, y = tf.nest.map_structure(some, (data.x, data.y))
            losses, accuracies, predicted = self._measure(state, x, y)
            kept = [table.write(begin // size, swapped(predicted)) for table in outputs]
            return loss + losses * length, accuracy + accuracies * length, kept

        dtype = self.problem.spec.training.dtype
        zeros = tf.zeros(tf.shape(sets), dtype)
        # Losses and accuracies add up over batches; other metrics need all predictions.
        outputs = [_table(dtype, -(-rows // size))] if self._keras.metrics else []
        loss, accuracy, outputs = over_batches(rows, size, measure, (zeros, zeros, outputs))
        further = {}
        if outputs:
            shape = [rows, None, self.problem.n_outputs]
            predicted = swapped(tf.ensure_shape(outputs[0].concat(), shape))
            y = tf.gather(data.y, sets)
            further = {n: metric(y, predicted) for n, metric in self._keras.metrics.items()}
        return {"loss": loss / rows, "accuracy": accuracy / rows, **further}

    def _measure_rows(self, state: State, x, y):
        """Return every row's loss, accuracy and predictions on its rows of data."""

        def one_row(row):
            state, x, y = row
            others = self._others.complete(state.others)
            weights = self._weights.split(state.weights)
            called = self._call(x, weights=weights, others=others, training=False)
            loss = _total(self._keras.loss(y, called.predicted), called.penalties)
            accuracy = self._keras.accuracy
            share = accuracy(y, called.predicted) if accuracy else tf.constant(np.nan, loss.dtype)
            return loss, share, called.predicted

        return self._map(one_row, (state, x, y))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user on how the network is computed."""
        if not self._row_by_row:
            return self._keras.notes
        slow = (
            "some of this model is computed run by run, which is slower: TensorFlow cannot "
            f"vectorise {', '.join(sorted(self._row_by_row))}"
        )
        return (*self._keras.notes, slow)

    def _map(self, one_row: Callable[[Any], Any], rows: Any) -> Any:
        try:
            return map_rows(one_row, rows, fall_back=False)
        except MappingError as error:
            self._row_by_row.add(self._in_words(error))
        try:
            # What TensorFlow cannot vectorise it then runs row by row; the rest stays vectorised.
            return map_rows(one_row, rows, fall_back=True)
        except MappingError as error:
            reason = f"TensorFlow cannot map {self._in_words(error)} over runs"
            raise NeedsFitError(reason) from error

    def _in_words(self, error: MappingError) -> str:
        layer = layer_in(error.operation, self._model)
        where = in_words(layer) if layer else "the model or its loss"
        return f"{error.kind or 'an operation'} in {where}"


def _any_length(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec([None, *tensor.shape[1:]] if tensor.shape.rank else [], tensor.dtype)


def _total(loss, penalties):
    return loss + tf.add_n(penalties) if penalties else loss


def _table(dtype: str, batches: int) -> tf.TensorArray:
    """Return a table for a tensor a batch, whose first axis may differ, to be joined along it."""
    return tf.TensorArray(dtype, batches, infer_shape=False, element_shape=[None, None, None])
