"""Study files: what a study searches, with which budget and under which training rules."""
