"""Figures as files of their own, in the sizes and forms that journals ask for."""
