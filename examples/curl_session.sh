#!/bin/sh
# An operator's session with nothing but curl: look at a cluster, drain an agent, take it back.
#
# Run it: mesolite up --agents 2 --http 127.0.0.1:5050    and then, elsewhere:    sh examples/curl_session.sh
# Another master, Mesolite's or Mesos's: sh examples/curl_session.sh http://127.0.0.1:PORT

set -eu

master=${1:-http://127.0.0.1:5050}

# A call of the operator API: its body goes in, what it answers comes out.
call() {
    curl --silent --show-error --fail --location-trusted --header 'Content-Type: application/json' --data "$1" "$master/api/v1"
}

# One thing out of an answer.
pick() {
    python3 -c "import json, sys; answer = json.load(sys.stdin); print($1)"
}

echo "version: $(curl --silent --show-error --fail --location "$master/version" | pick 'answer["version"]')"
echo "healthy: $(call '{"type": "GET_HEALTH"}' | pick 'answer["get_health"]["healthy"]')"
echo "agents:"
call '{"type": "GET_AGENTS"}' | pick '"\n".join("  " + each["agent_info"]["id"]["value"] for each in answer["get_agents"]["agents"])'

agent=$(call '{"type": "GET_AGENTS"}' | pick 'answer["get_agents"]["agents"][0]["agent_info"]["id"]["value"]')
of_the_agent='next(each for each in answer["get_agents"]["agents"] if each["agent_info"]["id"]["value"] == "'$agent'")'

call '{"type": "DRAIN_AGENT", "drain_agent": {"agent_id": {"value": "'"$agent"'"}, "max_grace_period": {"seconds": 5}}}'
echo "$agent drains"

# There is no event for the progress of a drain: it is asked for.
state=DRAINING
while [ "$state" = DRAINING ]; do
    sleep 0.2
    state=$(call '{"type": "GET_AGENTS"}' | pick "$of_the_agent"'["drain_info"]["state"]')
done
echo "state of the drain: $state"

call '{"type": "REACTIVATE_AGENT", "reactivate_agent": {"agent_id": {"value": "'"$agent"'"}}}'
echo "$agent is back in the offers"
