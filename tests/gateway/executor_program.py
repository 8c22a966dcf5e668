"""An executor as a program of its own, on the standard library alone: `python executor_program.py`.

It says STARTING and RUNNING of each task; a task whose data is `wait` runs until it is killed, any other is FINISHED at
once, with its data. What it is sent it sends back. It writes what it finds in its environment into its stdout.
"""

import base64
import http.client
import json
import os
import uuid

FRAMEWORK = {"value": os.environ["MESOS_FRAMEWORK_ID"]}
EXECUTOR = {"value": os.environ["MESOS_EXECUTOR_ID"]}
AGENT = os.environ["MESOS_AGENT_ENDPOINT"]
TOKEN = os.environ.get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN")


def post(connection, kind, **body):
    call = {"type": kind, "framework_id": FRAMEWORK, "executor_id": EXECUTOR, kind.lower(): body}
    headers = {"Content-Type": "application/json"}
    if TOKEN is not None:
        headers["Authorization"] = f"Bearer {TOKEN}"
    connection.request("POST", "/api/v1/executor", json.dumps(call), headers)
    return connection.getresponse()


def say(kind, **body):
    connection = http.client.HTTPConnection(AGENT)
    answer = post(connection, kind, **body)
    assert answer.status == 202, (answer.status, answer.read())
    connection.close()


def update(task, state, data=""):
    status = {
        "task_id": task["task_id"],
        "state": state,
        "source": "SOURCE_EXECUTOR",
        "uuid": base64.b64encode(uuid.uuid4().bytes).decode(),
        "labels": {"labels": [{"key": "pid", "value": str(os.getpid())}]},
    }
    say("UPDATE", status={**status, **({"data": data} if data else {})})


def records(stream):
    while length := stream.readline().strip():
        yield json.loads(stream.read(int(length)))


def main():
    print(json.dumps(dict(os.environ)), flush=True)
    stream = post(http.client.HTTPConnection(AGENT), "SUBSCRIBE")
    assert stream.status == 200, (stream.status, stream.read())
    for record in records(stream):
        kind = record["type"]
        if kind == "LAUNCH":
            task = record["launch"]["task"]
            update(task, "TASK_STARTING")
            update(task, "TASK_RUNNING")
            data = task.get("data", "")
            if base64.b64decode(data) != b"wait":
                update(task, "TASK_FINISHED", data)
        elif kind == "KILL":
            update({"task_id": record["kill"]["task_id"]}, "TASK_KILLED")
        elif kind == "MESSAGE":
            say("MESSAGE", data=record["message"]["data"])
        elif kind == "SHUTDOWN":
            return


main()
