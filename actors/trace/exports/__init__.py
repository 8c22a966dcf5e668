"""A trace for other readers: one page that opens anywhere, lines of JSON, a sequence diagram.

lines    what is told of each record, in the words of all texts, and of which kind it is
lanes    who stands where: operator, schedulers, masters, registrar, agents with their executors
bars     states as bars: the overview's rows, and the bands on the lanes
page     the page: its data, and the files beside it in page/ put into one
plain    lines of JSON
mermaid  a sequence diagram of what matters

Loaded only when somebody asks for one of these: whoever imports mesolite loads nothing of it. States, moments and words
are derived here and nowhere else; the page draws them.
"""
