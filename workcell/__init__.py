"""The application: command line, configuration, composition, cycles, records and figures."""

__version__ = "0.1.0"
