"""Functions of images: sampling at computed places, pools of regions, and windows that are put back."""
