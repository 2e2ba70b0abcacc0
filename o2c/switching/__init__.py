"""A fixed service that its customer brings from another provider by One Touch Switch: matched, ordered, triggered, or called off."""
