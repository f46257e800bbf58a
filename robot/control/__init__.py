"""From tool targets to joint commands: the whole-body QP and what it is made of."""
