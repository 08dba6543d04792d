# Completion of virt-esx in bash: the program says what a word can become.

_virt_esx() {
    local line=${COMP_LINE:0:COMP_POINT} current=$2 whole before candidate quoted
    local -a found
    mapfile -t found < <("$1" complete --line "$line" 2>/dev/null)
    COMPREPLY=()
    if [[ ${found[0]} == :files ]]; then
        compopt -o default
        return
    fi
    # Bash replaces only what is behind the last of the characters that break words: `:` and `=`.
    whole=${line##*[[:space:]]}
    before=${whole%"$current"}
    for candidate in "${found[@]}"; do
        candidate=${candidate#"$before"}
        case $current in
            [\'\"]*) COMPREPLY+=("$candidate") ;;
            *)
                printf -v quoted %q "$candidate"
                COMPREPLY+=("$quoted")
                ;;
        esac
    done
}

complete -F _virt_esx virt-esx
