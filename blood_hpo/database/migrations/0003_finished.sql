-- Workers without a study of their own look for those that are not finished.
ALTER TABLE hpo.study ADD COLUMN finished_at timestamptz; -- of a search: when nothing of it and its stages was left to do; null while something may be
