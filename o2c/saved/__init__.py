"""What a person keeps for himself: the views of the fallout queue that he comes back to."""
