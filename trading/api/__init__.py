"""The product's own API: JSON in and out, a personal token with a scope for each call."""
