"""Which paths hold secrets, which are devices, which belong to the system.

Data for :mod:`letsbe.policy.paths`. A pattern is one or more components with ``*``
inside a component; it matches wherever its components stand in a path, so that a
mounted or copied tree (``/mnt/etc/shadow``) counts as the original, and it covers
whatever lies below. Sources: the manuals of the programs named.
"""

from __future__ import annotations

SECRET_NAMES: tuple[str, ...] = (
    # Accounts of the system and of SSH and GnuPG.
    ".ssh",
    ".gnupg",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "ssh_host_*_key",
    "opasswd",
    "*.keytab",
    # Environment files: docker compose, dotenv, direnv.
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    # Private keys and key stores.
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.ovpn",
    ".password-store",
    "keyrings",
    # Credentials of clouds and of command line clients.
    ".aws",
    ".azure",
    ".kube",
    ".oci",
    ".s3cfg",
    ".boto",
    ".vault-token",
    "kubeconfig",
    "credentials",
    "credentials.json",
    "service-account*.json",
    "*.tfstate",
    "*.tfstate.backup",
    "terraform.tfvars",
    "credentials.tfrc.json",
    ".terraformrc",
    # Package managers, git, mail and file transfer.
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".git-credentials",
    ".dockercfg",
    ".smbcredentials",
    ".msmtprc",
    ".fetchmailrc",
    "sasl_passwd*",
    # Databases.
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    "debian.cnf",
    ".mongorc.js",
    ".dbshell",
    # What was typed, passwords on the command line included.
    ".history",
    ".*_history",
    ".*_history-*",
    ".lesshst",
    ".viminfo",
    ".mongodb",
    # Web applications.
    ".htpasswd",
    "wp-config.php",
    # Secrets by their own name.
    "secrets.json",
    "secrets.yml",
    "secrets.yaml",
    "secrets.toml",
    "secrets.env",
    ".secrets",
    # The vault and the agent runtime.
    ".letsbe",
    "letsbe.db*",
    ".openclaw",
    ".openclaw-*",
    "openclaw.json*",
    "openclaw.sqlite*",
    "openclaw-agent.sqlite*",
)
"""Components that hold a secret, in whatever folder they are."""

SECRET_FILES: tuple[str, ...] = (
    "etc/shadow*",
    "etc/gshadow*",
    "etc/master.passwd",
    "backups/shadow*",
    "backups/gshadow*",
    "etc/ppp/*-secrets",
    "etc/ipsec.secrets",
    "etc/exim4/passwd*",
    "proc/kcore",
    "proc/keys",
    "dev/mem",
    "dev/kmem",
    "dev/port",
)
"""Components one after another that name a secret file, nothing lying below it."""

SECRET_PLACES: tuple[str, ...] = (
    "etc/sudoers*",
    "etc/ssl/private",
    "etc/pki/tls/private",
    "letsencrypt/live",
    "letsencrypt/archive",
    "letsencrypt/keys",
    "letsencrypt/accounts",
    "etc/wireguard",
    "etc/openvpn",
    "etc/wpa_supplicant",
    "NetworkManager/system-connections",
    "etc/kubernetes",
    "etc/rancher",
    "var/lib/kubelet",
    "var/lib/cloud/instance*",
    "var/lib/docker",
    "var/lib/containerd",
    "var/lib/sss/secrets",
    "etc/letsbe",
    "var/lib/letsbe",
    "run/secrets",
    "run/credentials",
    "etc/credstore*",
    ".config/gcloud",
    ".config/gh",
    ".config/hub",
    ".config/glab-cli",
    ".config/rclone",
    ".config/doctl",
    ".config/hcloud",
    ".config/op",
    ".config/sops",
    ".config/git/credentials",
    ".config/composer/auth.json",
    ".composer/auth.json",
    ".docker/config.json",
    ".docker/contexts",
    ".cargo/credentials*",
    ".gem/credentials*",
    ".m2/settings*.xml",
    ".gradle/gradle.properties",
    ".local/share/fish/fish_history",
    ".local/share/mkcert",
    ".mozilla/firefox",
    ".config/google-chrome",
    ".config/chromium",
    # What a process was given, and every file through it.
    "proc/*/environ",
    "proc/*/mem",
    "proc/*/root",
    "proc/*/cwd",
    "proc/*/fd",
    "proc/*/map_files",
    "proc/*/task/*/environ",
    "proc/*/task/*/mem",
    "proc/*/task/*/root",
    "proc/*/task/*/cwd",
    "proc/*/task/*/fd",
)
"""Components one after another that name a folder of secrets."""

PUBLIC_NAMES: tuple[str, ...] = (
    # Templates of environment files, made to be read.
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".env.defaults",
    "example.env",
    "sample.env",
    # The public half of a key pair, and certificates.
    "*.pub",
    "cert*.pem",
    "cacert*.pem",
    "ca-cert*.pem",
    "ca-bundle*.pem",
    "ca.pem",
    "chain*.pem",
    "fullchain*.pem",
    "dhparam*.pem",
    "pubkey*.pem",
    "public*.pem",
    "pubring.gpg",
)
"""Names that :data:`SECRET_NAMES` would take and that anyone may read, unless the
folder around them is secret."""

PUBLIC_PLACES: tuple[str, ...] = (
    "/etc/ssl/certs/",
    "/etc/pki/ca-trust/",
    "/etc/pki/tls/certs/",
    "/usr/lib/ssl/certs/",
    "/usr/share/",
    "/usr/lib/python3/",
)
"""Folders that packages fill with what anyone may read: there a suffix such as
``.pem`` says nothing."""

SYSTEM_PLACES: tuple[str, ...] = (
    "/bin",
    "/boot",
    "/efi",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/run",
    "/sbin",
    "/snap",
    "/sys",
    "/usr",
    "/var",
)
"""Folders that keep the machine running."""

OPEN_PLACES: tuple[str, ...] = ("/var/tmp", "/var/www", "/run/user", "/dev/shm")  # noqa: S108 -- names to compare with, no file is made there
"""Folders inside the above that are anybody's."""

SYSTEM_FOLDERS: frozenset[str] = frozenset({"/", "/home", "/root", "/srv", "/opt"})
"""Folders that are the system's themselves, though what lies in them is not."""

HARMLESS_DEVICES: frozenset[str] = frozenset(
    "/dev/" + name
    for name in (
        "full",
        "null",
        "random",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
    )
)
"""Devices that keep nothing and show nothing of anyone's."""

CONTROL_SOCKETS: tuple[str, ...] = (
    "docker.sock",
    "containerd.sock",
    "podman.sock",
    "crio.sock",
)
"""Sockets that give whoever opens them the machine."""
