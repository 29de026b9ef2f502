# What scripts/odoo_test and scripts/odoo_demo share: Odoo's Python environment, the wheel, a template database.
# Sourced, not run. Sets odoo_python, odoo_wheel, odoo_template; ODOO_SRC is only ever read.
#
# ISP_ODOO_CACHE  where the environment, the wheels and the template database are kept (default .build/odoo);
#                 several checkouts may share one
# ODOO_PYTHON     the interpreter to make the environment from (CPython 3.10 to 3.12)
# ISP_WHEEL       a wheel to install instead of one built from this checkout

odoo_cache=${ISP_ODOO_CACHE:-$root/.build/odoo}
odoo_template_modules=base,account,mail,l10n_id
# The first one is the users' own.
odoo_languages=en_US,id_ID
odoo_requirements=$root/scripts/odoo.txt

odoo_prepare() {
    if [ -z "${ODOO_SRC:-}" ] || [ ! -f "$ODOO_SRC/odoo-bin" ]; then
        say "error: ODOO_SRC must name an Odoo 17.0 source tree: make odoo-test ODOO_SRC=/path/to/odoo"
        say "NO ODOO TEST WAS RUN"
        exit 1
    fi
    ODOO_SRC=$(cd "$ODOO_SRC" && pwd)
    grep -q "^version_info = (17, 0," "$ODOO_SRC/odoo/release.py" || die "$ODOO_SRC is not Odoo 17.0"
    mkdir -p "$odoo_cache"
    odoo_cache=$(cd "$odoo_cache" && pwd)
    # One checkout prepares, the others wait.
    exec 9>"$odoo_cache/lock"
    flock 9
    odoo_make_venv
    odoo_make_wheel
    odoo_make_template
    flock -u 9
    exec 9>&-
}

# The directories that Odoo takes addons from; OCA's only when asked for. odoo_addons names other addons than this checkout's.
odoo_addons_path() {
    local path=${odoo_addons:-$root/isp-odoo},$ODOO_SRC/odoo/addons
    [ ! -d "$ODOO_SRC/addons" ] || path=$path,$ODOO_SRC/addons
    # Somebody's own addons, beside them.
    [ -z "${ISP_DEMO_ADDONS:-}" ] || path=$ISP_DEMO_ADDONS,$path
    [ -z "${odoo_oca:-}" ] || path=$path,$odoo_oca/odoo/addons
    # The example of an addon of one's own, for its tests.
    [ -z "${odoo_example:-}" ] || path=$path,$root/isp-odoo/checks/example
    # In place of Enterprise's module, for the tests of the bridge to it.
    [ -z "${odoo_stand_in:-}" ] || path=$path,$root/isp-odoo/checks/stand_in
    echo "$path"
}

# Runs odoo-bin with the environment and the wheel; bytecode goes to the cache, so that the tree stays as it was.
odoo_bin() {
    PYTHONPATH=${odoo_wheel:-} PYTHONPYCACHEPREFIX="$odoo_cache/pycache" TZ=UTC "$odoo_python" "$ODOO_SRC/odoo-bin" "$@"
}

# odoo_script FILE ARGUMENT...: a Python program of isp-odoo/ that boots Odoo itself.
odoo_script() {
    PYTHONPATH=${odoo_wheel:-}:$ODOO_SRC PYTHONPYCACHEPREFIX="$odoo_cache/pycache" TZ=UTC PYTHONWARNINGS=ignore \
        "$odoo_python" "$root/isp-odoo/$1" "${@:2}"
}

# odoo_conf FILE DATABASE DATA_DIR HTTP_PORT: the server's configuration; the database server is that of ISP_TEST_PG.
odoo_conf() {
    cat >"$1" <<END
[options]
addons_path = $(odoo_addons_path)
data_dir = $3
db_host = ${ISP_TEST_PG##*host=}
db_port = 5432
db_user = isp
db_name = $2
dbfilter = ^$2\$
list_db = False
http_interface = 127.0.0.1
http_port = $4
limit_time_real = 0
limit_time_cpu = 0
limit_memory_soft = 0
limit_memory_hard = 0
bin_path = ${odoo_bin_path:-}
END
}

odoo_free_port() {
    "$odoo_python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# With SO_REUSEADDR, as Odoo's own server: a connection that ended a moment ago keeps no port.
odoo_port_is_free() {
    "$odoo_python" -c '
import socket, sys
with socket.socket() as one:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", int(sys.argv[1])))
    one.listen()' "$1" 2>/dev/null
}

# Chromium is what Odoo's browser tests drive; without it Odoo skips them and still says that all is well.
odoo_chromium() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
        apt_install chromium fonts-liberation ||
        die "no Chromium for the browser tests. On Debian: sudo apt-get install chromium"
}

odoo_find_python() {
    local candidate
    for candidate in ${ODOO_PYTHON:-} /usr/bin/python3.11 /usr/bin/python3.10 /usr/bin/python3.12 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    die "Odoo 17 needs CPython 3.10 to 3.12: name one in ODOO_PYTHON"
}

odoo_make_venv() {
    local venv python stamp
    stamp=$(cat "$ODOO_SRC/requirements.txt" "$odoo_requirements" | sha256sum | cut -c1-16)
    venv=$odoo_cache/venv-$stamp
    odoo_python=$venv/bin/python
    [ ! -e "$venv/complete" ] || return 0
    python=$(odoo_find_python)
    say "making Odoo's Python environment (a minute)"
    if [ ! -e /usr/include/ldap.h ] || [ ! -e /usr/include/sasl/sasl.h ] || ! command -v pg_config >/dev/null ||
        ! command -v cc >/dev/null; then
        apt_install gcc python3-dev python3-venv libldap2-dev libsasl2-dev libpq-dev || die \
            "Odoo's requirements are compiled. On Debian: sudo apt-get install gcc python3-dev python3-venv libldap2-dev libsasl2-dev libpq-dev"
    fi
    "$python" -m venv --clear "$venv" >"$odoo_cache/venv.log" 2>&1 || { cat "$odoo_cache/venv.log" >&2; die "no Python environment"; }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check wheel >>"$odoo_cache/venv.log" 2>&1 &&
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            -r "$ODOO_SRC/requirements.txt" -r "$odoo_requirements" >>"$odoo_cache/venv.log" 2>&1 ||
        { cat "$odoo_cache/venv.log" >&2; die "Odoo's requirements could not be installed"; }
    touch "$venv/complete"
}

# The wheel of this checkout, built by `make wheel` when its sources changed, unpacked where only this run sees it.
odoo_make_wheel() {
    local key wheel
    if [ -n "${ISP_WHEEL:-}" ]; then
        key=$(sha256sum "$ISP_WHEEL" | cut -c1-16)
    else
        key=$(cd "$root" && git ls-files -z --cached --others --exclude-standard \
            Cargo.toml Cargo.lock isp-core isp-cases isp-import isp-py isp-mikrotik isp-http isp-payment isp-whatsapp |
            xargs -0 -r -I{} sh -c '[ ! -f "$1" ] || sha256sum "$1"' sh {} | sha256sum | cut -c1-16)
    fi
    odoo_wheel=$odoo_cache/wheels/$key
    [ ! -e "$odoo_wheel/complete" ] || return 0
    wheel=${ISP_WHEEL:-}
    if [ -z "$wheel" ]; then
        say "building the wheel"
        rm -f "$root"/dist/isp_engine-*.whl
        make -C "$root" --no-print-directory wheel >"$odoo_cache/wheel.log" 2>&1 9>&- ||
            { cat "$odoo_cache/wheel.log" >&2; die "the wheel was not built"; }
        wheel=$(ls "$root"/dist/isp_engine-*.whl)
    fi
    rm -rf "$odoo_wheel"
    "$odoo_python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index --target "$odoo_wheel" "$wheel" >&2
    touch "$odoo_wheel/complete"
}

# A database cluster with Odoo's own modules in it, to start every run from a copy of.
odoo_make_template() {
    local stamp
    stamp=$({ cat "$ODOO_SRC/odoo/release.py" "$ODOO_SRC/requirements.txt"
        find "$ODOO_SRC/odoo/addons/account" "$ODOO_SRC/odoo/addons/l10n_id" -name '*.py' -printf '%P %s\n' | sort
        echo "$odoo_template_modules $odoo_languages"; } | sha256sum | cut -c1-16)
    odoo_template=$odoo_cache/template-$stamp
    [ ! -e "$odoo_template/complete" ] || return 0
    say "making the template database with $odoo_template_modules (two minutes)"
    rm -rf "$odoo_template"
    mkdir -p "$odoo_template"
    env -u ISP_TEST_PG ISP_PG_KEEP="$odoo_template/data" ODOO_SRC="$ODOO_SRC" ISP_ODOO_FILL_PYTHON="$odoo_python" \
        ISP_ODOO_FILL_TEMPLATE="$odoo_template" ISP_ODOO_FILL_CACHE="$odoo_cache" "$root/scripts/with_pg" \
        bash -euc '. "$1/scripts/lib.sh"; . "$1/scripts/odoo_lib.sh"; odoo_fill_template' bash "$root" 9>&- ||
        { tail -n 40 "$odoo_template/log" >&2; die "the template database was not made"; }
    touch "$odoo_template/complete"
}

odoo_fill_template() {
    odoo_python=$ISP_ODOO_FILL_PYTHON odoo_template=$ISP_ODOO_FILL_TEMPLATE odoo_cache=$ISP_ODOO_FILL_CACHE
    odoo_conf "$odoo_template/odoo.conf" isp "$odoo_template/share" 0
    odoo_bin -c "$odoo_template/odoo.conf" -i "$odoo_template_modules" --without-demo=all --load-language="$odoo_languages" \
        --stop-after-init --no-http >"$odoo_template/log" 2>&1
}

# OCA's modules as packages from the Python registry, the versions the bridges were tested with. Sets odoo_oca.
odoo_make_oca() {
    odoo_fetch oca "OCA's modules"
    odoo_oca=$odoo_fetched
}

# The program that Odoo prints PDFs with. Sets odoo_bin_path; what the machine has is used when the package's does not run.
odoo_make_pdf() {
    odoo_fetch pdf "wkhtmltopdf"
    odoo_bin_path=$odoo_fetched/bin
    ln -sf wkhtmltopdf-pack "$odoo_bin_path/wkhtmltopdf"
    # It draws text with the fonts of the machine, and needs some libraries of X that Chromium brings along.
    "$odoo_bin_path/wkhtmltopdf" --version >/dev/null 2>&1 || apt_install libxrender1 libxext6 libfontconfig1 fonts-liberation || true
    if ! "$odoo_bin_path/wkhtmltopdf" --version >/dev/null 2>&1; then
        odoo_bin_path=''
        wkhtmltopdf --version 2>/dev/null | grep -q 'patched qt' || die \
            "no wkhtmltopdf with patched Qt runs here, and no report can be printed. Put one on the PATH (wkhtmltopdf.org)."
    fi
}

# odoo_fetch NAME WHAT: the packages of scripts/odoo_NAME.txt, unpacked where no Python finds them by itself. Sets odoo_fetched.
odoo_fetch() {
    local list=$root/scripts/odoo_$1.txt
    exec 9>"$odoo_cache/lock"
    flock 9
    odoo_fetched=$odoo_cache/$1-$(sha256sum "$list" | cut -c1-16)
    if [ ! -e "$odoo_fetched/complete" ]; then
        say "fetching $2"
        rm -rf "$odoo_fetched"
        "$odoo_python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$odoo_fetched" -r "$list" >&2
        touch "$odoo_fetched/complete"
    fi
    flock -u 9
    exec 9>&-
}
