"""The Mesos v1 HTTP interface (docs/spec/http.md): requests become messages, what actors say becomes records.

    sockets  <-->  server.py  --Request-->  an actor per master and per agent  --messages-->  master, agent
                              <---Part----  (and one per stream)               <--messages--

    exchange.py        requests, and the parts of an answer, as plain data
    server.py          sockets: the one file that knows aiohttp, and needs the extra `mesolite[http]`
    v1/                JSON that Mesos's clients send and expect: lenient in, strict out

Nothing here decides what the master and the agents decide; nothing here but server.py touches a socket, so that all of
it runs in a `Simulation`, too.
"""
