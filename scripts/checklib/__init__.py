# SPDX-License-Identifier: MIT
"""The rules of scripts/check: what they read (tokens, shape) and what they demand."""
