# The clients that are written in Python. Sourced by their scripts, never run.

# python_driver NAME: prints the command of the driver in that client's folder, with the packages it needs installed.
python_driver() {
    local folder="$INSTALL_FOLDER/$1.venv"
    install_python() {
        python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$1"
    }
    once "$1" "$CLIENTS_FOLDER/$1/requirements.txt" install_python "$CLIENTS_FOLDER/$1/requirements.txt"
    echo "$folder/bin/python -B $CLIENTS_FOLDER/$1/driver.py"
}

# python_member NAME: the same of the member of a group in that folder.
python_member() {
    local command
    command=$(python_driver "$1")
    echo "${command%/driver.py}/member.py"
}
