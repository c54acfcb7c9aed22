"""Several processes, on one machine or on many, that train and answer together; MPI starts and connects them."""
