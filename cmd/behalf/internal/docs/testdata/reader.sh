# What a reader does with the commands of a document: a server runs in a terminal of its own, on
# ports that are free here, and is stopped when another one takes its place. Everything is quiet
# but what the commands print.
set -euo pipefail
declare -A server=() address=() # by the HTTP ports that the documents have them on
cluster=

stop() { # PORT
	[ -z "${server[$1]:-}" ] && return
	kill "${server[$1]}" 2>/dev/null || true
	wait "${server[$1]}" 2>/dev/null || true
	unset "server[$1]"
}

end() {
	for port in "${!server[@]}"; do stop "$port"; done
	[ -s nginx.pid ] && kill "$(cat nginx.pid)" 2>/dev/null
	[ -n "$cluster" ] && cd "$cluster" && as_postgres pg_ctl -D "$cluster/data" -m immediate stop >/dev/null && rm -rf "$cluster"
	true
}
trap end EXIT

pause() { read -r -t 0.1 <> <(:) || true; }

serve() {
	local log ready='msg=serving' port=7480
	case " $* " in *' --http-addr 127.0.0.1:7490 '*) port=7490 ;; esac
	stop $port
	log=$(mktemp)
	case " $* " in *' --demo '*) ready='# Stop with' ;; esac
	command behalf "$@" --grpc-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 >"$log" 2>&1 &
	server[$port]=$!
	until grep -q "$ready" "$log"; do
		kill -0 "${server[$port]}" 2>/dev/null || { cat "$log"; exit 1; }
		pause
	done
	address[$port]=$(sed -n 's/.*msg=serving.* http=\([^ ]*\).*/\1/p' "$log")
	[ $port = 7490 ] && return
	BEHALF_ADDRESS=$(sed -n 's/.*msg=serving.* grpc=\([^ ]*\).*/\1/p' "$log")
	export BEHALF_ADDRESS
}

behalf() {
	if [ "$1" = serve ]; then serve "$@"; else command behalf "$@"; fi
}

# here puts the addresses of this machine in the place of the documents'.
here() {
	local text=$1 port
	for port in "${!address[@]}"; do text=${text//127.0.0.1:$port/${address[$port]}}; done
	printf %s "$text"
}

curl() { # which ends the commands when it is refused, unless the status is what is asked for
	local args=() fail=--fail-with-body
	for a in "$@"; do
		[ "$a" = -w ] && fail=-sS
		args+=("$(here "$a")")
	done
	command curl -sS $fail "${args[@]}"
}

nginx() { # with the file nginx.conf, whose ports 8080 and 8081 may be taken here
	local port text
	for _ in $(seq 50); do
		port=$((20000 + RANDOM))
		address[8080]=127.0.0.1:$port address[8081]=127.0.0.1:$((port + 1))
		text=$(here "$(cat nginx.conf)")
		printf '%s\n' "$text" >here.conf
		command nginx "${@/nginx.conf/here.conf}" 2>nginx.log && return
	done
	cat nginx.log
	exit 1
}

as_postgres() {
	if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi
}

createdb() { # on a Postgres as the documents say it has to be set up
	PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
	cluster=$(mktemp -d /tmp/cluster.XXXXXX)
	[ "$(id -u)" = 0 ] && chown postgres "$cluster"
	(cd "$cluster" && as_postgres initdb -D "$cluster/data" -A trust -U behalf >/dev/null &&
		as_postgres pg_ctl -D "$cluster/data" -w -l "$cluster/log" \
			-o "-c listen_addresses= -c unix_socket_directories=$cluster -c track_commit_timestamp=on" start >/dev/null)
	export PGHOST=$cluster PGUSER=behalf
	(cd "$cluster" && command createdb "$@")
}

go() {
	case "$*" in
	'run ./cmd/behalf serve'*) shift 2 && behalf "$@" ;;
	'test ./...') ;; # it is what runs
	'build -o behalf ./cmd/behalf') ;; # it is built
	*) command go "$@" ;;
	esac
}

# mark ends what a promise is about.
mark() { printf '\036'; }
