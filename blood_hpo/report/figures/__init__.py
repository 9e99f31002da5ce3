"""The drawings: plain values in, one SVG each out."""
