// A scheduler on mesos-framework that does what it is ordered to and tells of each event, a line of JSON each.
//
// Given: master (host:port), framework_id (or nothing), tasks ({name: {command, instances}}).
"use strict";

const os = require("os");
const readline = require("readline");
const framework = require("mesos-framework");

const Mesos = framework.Mesos.getMesos();
const given = JSON.parse(process.argv[2]);

// Node writes to a pipe at once, so what was told is not lost by process.exit.
function tell(event, about) {
    process.stdout.write(JSON.stringify({event, ...about}) + "\n");
}

function task({command, instances}) {
    return {
        instances,
        commandInfo: new Mesos.CommandInfo(null, null, true, command, null, null),
        resources: {cpus: 0.1, mem: 32, disk: 0, ports: 1},
    };
}

const [host, port] = given.master.split(":");
const scheduler = new framework.Scheduler({
    masterUrl: host,
    port,
    user: os.userInfo().username,
    frameworkName: "ordered",
    // Its log is here, as there is no folder `logs`; less than an error it would write to standard output, too.
    logging: {path: ".", fileName: "mesos-framework.log", level: "error"},
    tasks: Object.fromEntries(Object.entries(given.tasks || {}).map(([name, what]) => [name, task(what)])),
});

scheduler.on("ready", () => {
    scheduler.frameworkId = given.framework_id || null;
    scheduler.subscribe();
});
scheduler.on("subscribed", ({frameworkId, mesosStreamId}) =>
    tell("subscribed", {framework_id: frameworkId, stream_id: mesosStreamId, port: Number(scheduler.options.port)}));
scheduler.on("offers", ({offers}) => tell("offers", {offers}));
scheduler.on("update", ({status}) => tell("update", {task_id: status.task_id.value, state: status.state, status}));
scheduler.on("heartbeat", () => tell("heartbeat"));
// An error is an object, or only its text.
scheduler.on("error", (error) => tell("error", {message: error.message || error}));
scheduler.on("sent_teardown", () => process.exit(0));

const orders = {
    kill: ({kill, agent_id}) => scheduler.kill(kill, agent_id),
    reconcile: () => scheduler.reconcile(),
    leave: () => process.exit(0),
    stop: () => scheduler.teardown(),
};

readline.createInterface({input: process.stdin}).on("line", (line) => {
    const order = JSON.parse(line);
    Object.keys(order).filter((key) => key in orders).forEach((key) => orders[key](order));
});
