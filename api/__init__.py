"""How the world sees CasaMaps: the HTTP service, its pages, and the command line."""
