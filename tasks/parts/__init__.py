"""The things that are assembled, as dimensions, frames and shapes."""
