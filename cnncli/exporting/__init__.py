"""Models that leave the house: files that predict without cnncli, one module for each format."""
