"""What optuna-dashboard shows: notes, pictures, pages and the server itself."""
