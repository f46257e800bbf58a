"""The machine: model, drivers, sensors, station, controllers and physics."""
