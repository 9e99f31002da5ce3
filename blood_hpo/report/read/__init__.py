"""What a report is written from, and the numbers that SQL cannot compute."""
