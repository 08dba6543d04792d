#compdef virt-esx
# Completion of virt-esx in zsh: the program says what a word can become.

_virt-esx() {
    local program=${(Q)words[1]}
    local -a found
    found=("${(@f)$($~program complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case $found[1] in
        :files) _files ;;
        '') return 1 ;;
        *) compadd -a found ;;
    esac
}

if [[ $funcstack[1] == _virt-esx ]]; then
    _virt-esx "$@"
else
    compdef _virt-esx virt-esx
fi
