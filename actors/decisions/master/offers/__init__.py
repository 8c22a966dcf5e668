"""Offers and inverse offers, and what is done with them."""
