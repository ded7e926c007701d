"""Resend success: what retrying brings, from the figures alone."""
