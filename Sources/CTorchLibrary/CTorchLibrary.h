// Intentionally empty: libtorch's headers are C++ and are read by the target CTorch alone.
