# The clients that are written in Go. Sourced by their scripts, never run.

# go_driver NAME: builds the driver in that client's folder, and prints its path.
go_driver() {
    need go
    go_build() { (cd "$CLIENTS_FOLDER" && go build -o "$INSTALL_FOLDER/bin/" "./$1"); }
    # Go itself knows what is to be built again.
    (flock 9; go_build "$1" || { echo "$CLIENT: $1 could not be built" >&2; exit 2; }) 9>"$INSTALL_FOLDER/go.lock"
    echo "$INSTALL_FOLDER/bin/$1"
}
