"""The search: both arms of the claim tuned fairly. The one room that talks to Optuna."""
