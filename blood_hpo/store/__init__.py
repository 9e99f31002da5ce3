"""The study in the database, as those who write it use it: storage, studies, results."""
