"""What makes our pages: the pictures of the README, the documentation site, the text a package index shows.

svg             shapes and two palettes, light and dark
drain           a drain as it happened, from the trace of a simulation
house           the three storeys, from the import contracts
pictures        writes both pictures, each in light and dark: make pictures
links           links where pages are no files of a checkout
site            what mkdocs asks us while it builds the site: make docs
package_index   the README as a package index can show it
"""
