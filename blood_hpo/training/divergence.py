"""What is raised when training diverges; apart, so that it can be caught without TensorFlow."""

from blood_hpo.errors import BloodHpoError


class NonFiniteLoss(BloodHpoError):  # noqa: N818 - named after what happened
    """Training diverged: the loss, or a predicted probability, is no longer a number.

    Attributes:
        epoch: The epoch in which it happened, from 1.
    """

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the loss is not finite in epoch {epoch}; try a smaller learning rate")
        self.epoch = epoch
