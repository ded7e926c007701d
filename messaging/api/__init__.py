"""Wire formats of others: each a thin door onto the services.

Importing a door builds nothing but itself; :mod:`messaging.api.urls` puts them
together and generates the description of all of them.
"""
