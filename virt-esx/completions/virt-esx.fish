# Completion of virt-esx in fish: the program says what a word can become.

function __virt_esx_complete
    set -l before (commandline --cut-at-cursor --current-process --tokenize)
    # A quote that is still open is no part of the word.
    set -l word (commandline --cut-at-cursor --current-token | string replace --regex '^["\']' '')
    set -l program $before[1]
    set -e before[1]
    set -l found ($program complete -- $before "$word" 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path $word
    else
        printf '%s\n' $found
    end
end

complete --command virt-esx --no-files --arguments '(__virt_esx_complete)'
