# What a reader does with the commands of a document: a server runs in a terminal of its own, on
# ports that are free here, and is stopped when another one is started. Everything is quiet but
# what the commands print.
set -euo pipefail
server=

stop() {
	[ -z "$server" ] && return
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}
trap stop EXIT

serve() {
	local log ready='msg=serving'
	stop
	log=$(mktemp)
	case " $* " in *' --demo '*) ready='# Stop with' ;; esac
	command behalf "$@" --grpc-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 >"$log" 2>&1 &
	server=$!
	until grep -q "$ready" "$log"; do
		kill -0 "$server" 2>/dev/null || { cat "$log"; exit 1; }
		read -r -t 0.1 <> <(:) || true
	done
	HTTP=$(sed -n 's/.*msg=serving.* http=\([^ ]*\).*/\1/p' "$log")
	BEHALF_ADDRESS=$(sed -n 's/.*msg=serving.* grpc=\([^ ]*\).*/\1/p' "$log")
	export BEHALF_ADDRESS
}

behalf() {
	if [ "$1" = serve ]; then serve "$@"; else command behalf "$@"; fi
}

curl() { command curl -sS --fail-with-body "${@//127.0.0.1:7480/$HTTP}"; }

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
