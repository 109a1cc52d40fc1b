# The demo desktop's shell: a short coloured prompt and the usual helpers.
[ -z "$PS1" ] && return
HISTCONTROL=ignoreboth
shopt -s checkwinsize
PS1='\[\e[1;36m\]\u@\h\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '
PROMPT_COMMAND='printf "\033]0;%s - Terminal\007" "${PWD/#$HOME/\~}"'
alias ls='ls --color=auto' ll='ls -l' grep='grep --color=auto'
[ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
