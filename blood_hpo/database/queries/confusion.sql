-- Classes that the final models confuse
-- The most frequent wrong pairs of classes, in images of the test split summed over the seeds, and
-- as a share of the images of the true class.
SELECT family, recipe, true_class, predicted_class, sum(images) AS images, avg(share) AS share
FROM hpo.confusion
WHERE study = :study AND in_force AND true_class <> predicted_class
GROUP BY family, recipe, true_class, predicted_class
HAVING sum(images) > 0
ORDER BY images DESC, family, true_class, predicted_class
LIMIT :top
