"""Maps for people: a map is described, folium turns the description into Leaflet's script."""
