"""The final stage: confirm the best configurations, retrain the winners, test each model once."""
