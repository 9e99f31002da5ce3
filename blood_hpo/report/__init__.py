"""The report: from the database to a page, figures, tables and numbers.

Nothing here trains, predicts or reads the data set, so a report is made again on any machine.
"""
