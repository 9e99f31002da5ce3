"""TensorFlow, set up as in a worker, before a test module imports Keras."""

from blood_hpo.training.runtime import configure

configure()
