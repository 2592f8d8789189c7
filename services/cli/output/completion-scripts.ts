/** The shells that completion is there for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

// Each asks the program itself how the words may go on, so that nothing here has to know them.
// Where it has no answer the shell offers files.

const BASH = `# Completion of tickwire for bash: source <(tickwire completion bash)
_tickwire() {
  local line=\${COMP_LINE:0:COMP_POINT} full prefix
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  full=\${words[\${#words[@]}-1]}
  # bash takes what stands before a colon or an equals sign for a word of its own.
  prefix=\${full%"\${full##*[:=]}"}
  local IFS=$'\\n'
  COMPREPLY=($(tickwire completion candidates --no-about -- "\${words[@]:1}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  [[ \${COMPREPLY[0]} == *[:/] ]] && compopt -o nospace
}
complete -o default -F _tickwire tickwire
`;

const ZSH = `#compdef tickwire
# Completion of tickwire for zsh: source <(tickwire completion zsh)
_tickwire() {
  local -a lines whole parts about_whole about_parts
  local line text
  lines=("\${(@f)$(tickwire completion candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    text=\${line%%$'\\t'*}
    if [[ $text == *[:/] ]]; then
      parts+=($text)
      about_parts+=("$text  \${line#*$'\\t'}")
    elif [[ -n $text ]]; then
      whole+=($text)
      about_whole+=("$text  \${line#*$'\\t'}")
    fi
  done
  if (( \${#whole} + \${#parts} == 0 )); then _files; return; fi
  (( \${#whole} )) && compadd -l -d about_whole -a whole
  (( \${#parts} )) && compadd -S '' -l -d about_parts -a parts
}
compdef _tickwire tickwire
`;

const FISH = `# Completion of tickwire for fish: tickwire completion fish | source
function __tickwire_candidates
  set -l words (commandline -opc) (commandline -ct)
  set -l found (tickwire completion candidates -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c tickwire -f -a '(__tickwire_candidates)'
`;

/** What a shell reads to complete the command lines of this program. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
};
