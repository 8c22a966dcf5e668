"""The Mesos v1 HTTP interface (docs/spec/http.md): requests become messages, what actors say becomes records.

    sockets  <-->  server  --Request-->  an endpoint per master and agent  --messages-->  master, agent
                           <---Part----  and an actor per stream           <--messages--

    exchange, events, effects   requests and parts of answers, as plain data; what happens, and what is wanted
    server, connections,        sockets: the files that know aiohttp, and need the extra `mesolite[http]`
      streams, limits
    gateway                     which daemon listens where, and what is behind the port
    actors                      the Pykka faces of the cores below; files and usage are what they look up
    endpoint                    what endpoints have in common; master_endpoint and agent_endpoint, what becomes of each
    scheduler_api, scheduler_calls, scheduler_stream          schedulers: who is let in, calls, and their streams
    executor_calls, process_executor, executor_stream         executors: calls, the process, and its stream
    operator_changes, operator_streams, reading/              operators: changes, events, and all that can be read
    routing, content, authentication, tokens, refusals        what is asked of every request, and how no is said
    v1/                         JSON that Mesos's clients send and expect: lenient in, strict out

Nothing here decides what masters and agents decide. Only the server touches a socket, so all else runs in a
`Simulation`, too (mesolite/simulation/http_client.py).
"""
