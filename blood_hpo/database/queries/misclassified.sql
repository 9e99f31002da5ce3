-- Test images that every final model gets wrong
-- The image's place in the test split, what it is, what it is taken for, and by how many models.
SELECT
    image, true_class, string_agg(DISTINCT predicted_class, ', ') AS taken_for,
    count(*) AS models, avg(confidence) AS confidence, avg(true_probability) AS true_probability
FROM hpo.misclassified
WHERE study = :study AND in_force
GROUP BY image, true_class
HAVING count(*) = (SELECT count(*) FROM hpo.models WHERE models.study = :study AND models.in_force)
ORDER BY confidence DESC
LIMIT :top
