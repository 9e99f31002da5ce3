-- A configuration of a search holds a place of its budget, or was given up: it has no third state.
ALTER TABLE hpo.configuration ADD CONSTRAINT configuration_has_a_place
    CHECK (stage <> 'search' OR (place IS NULL) = (given_up_at IS NOT NULL));
