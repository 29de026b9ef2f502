# The parts of a run of scripts/odoo_test: what they are, how one runs, what is told at the end.
# Sourced, not run. A part is a line of $run/list: its name, and Odoo's test tags.

# Classes that take minutes: a part for each, or for each of their methods.
odoo_long='TestCases TestDemo TestClicks TestLives TestBrowser'
odoo_by_method='TestClicks TestBrowser TestLives'
odoo_shares=4

odoo_parts_of_everything() {
    local tests=$root/isp-odoo/isp_management/tests class method classes share without=''
    for class in $odoo_long; do
        without=$without,-/isp_management:$class
    done
    classes=$(sed -nE 's/^class (Test\w+)\(.*/\1/p' "$tests"/*.py | grep -vxF -e "${odoo_long// /$'\n'}")
    # The longest first, so that the end is not spent on waiting for one.
    for ((share = 1; share < odoo_shares; share++)); do
        class=$(awk -v n=$odoo_shares -v s=$share 'NR % n == s { printf "%s/isp_management:%s", sep, $0; sep = "," }' <<<"$classes")
        without=$without,-${class//,/,-}
        printf 'share %s\t%s\n' "$share" "$class"
    done
    # Whatever the others leave, so that nothing is forgotten.
    printf 'the rest\t/%s%s\n' "${modules//,/,/}" "$without"
    for class in $odoo_long; do
        if [[ " $odoo_by_method " = *" $class "* ]]; then
            for method in $(sed -nE 's/^    def (test_\w+)\(.*/\1/p' "$(grep -l "^class $class(" "$tests"/*.py)"); do
                printf '%s.%s\t/isp_management:%s.%s\n' "$class" "$method" "$class" "$method"
            done
        else
            printf '%s\t/isp_management:%s\n' "$class" "$class"
        fi
    done
    printf 'upgrade\njourney\nkept\nfaults\nenterprise\t/isp_management_sale_subscription\ngateways\t/isp_management_payment\nexample\t/isp_example\n'
}

# odoo_copy FROM NAME: a copy of a database.
odoo_copy() {
    ISP_PG_HOST=${ISP_TEST_PG##*host=} flock "$run/install.log" "$odoo_python" - "$@" <<'END'
import os, sys, psycopg2
connection = psycopg2.connect(host=os.environ["ISP_PG_HOST"], user="isp", dbname="postgres")
connection.autocommit = True
connection.cursor().execute('CREATE DATABASE "%s" TEMPLATE "%s"' % (sys.argv[2], sys.argv[1]))
END
}

# odoo_database NAME [FROM]: a copy of what was installed, with a configuration at $run/parts/NAME.conf.
odoo_database() {
    odoo_copy "${2:-isp}" "$1"
    cp -a "$run/share" "$run/parts/$1"
    [ ! -d "$run/parts/$1/filestore/isp" ] || mv "$run/parts/$1/filestore/isp" "$run/parts/$1/filestore/$1"
    odoo_conf "$run/parts/$1.conf" "$1" "$run/parts/$1" "$(odoo_free_port)"
}

# One part; what it comes to is told by its files: NAME.log, NAME.said, NAME.status.
odoo_part() {
    local part=${1%%$'\t'*} tags=${1#*$'\t'} name more status=0 began=$SECONDS odoo_stand_in=${odoo_stand_in:-} odoo_example=${odoo_example:-}
    # The run was ended: no other part begins.
    [ -e "$run/list" ] || exit 255
    name=$(tr -c 'a-z0-9A-Z\n' _ <<<"$part" | tail -c 60)
    case $part in
    upgrade | journey | kept)
        env -u ISP_TEST_PG "$root/scripts/odoo_$part" >"$run/$name.said" 2>"$run/$name.log" || status=$?
        ;;
    faults)
        odoo_database "$name" "${whole:+plain}"
        odoo_database asked "${whole:+plain}"
        odoo_database imported "${whole:+plain}"
        { odoo_script checks/asked_at_once.py "$run/parts/asked.conf" &&
            odoo_script checks/imported_at_once.py "$run/parts/imported.conf" &&
            odoo_script checks/faults.py "$run/parts/$name.conf" &&
            odoo_script checks/network_faults.py "$run/parts/$name.conf"; } >"$run/$name.said" 2>"$run/$name.log" || status=$?
        ;;
    *)
        # An addon that not everybody installs; the bridge to Enterprise against a stand-in of its module.
        more=''
        [ "$part" != enterprise ] || { odoo_stand_in=1 && more=isp_management_sale_subscription; }
        [ "$part" != example ] || { odoo_example=1 && more=isp_example; }
        [ "$part" != gateways ] || more=isp_management_payment
        odoo_database "$name"
        odoo_bin -c "$run/parts/$name.conf" ${more:+-i "$more"} --test-tags "$tags" --stop-after-init --max-cron-threads=0 >"$run/$name.log" 2>&1 || status=$?
        # Requests that meet are refused by the database and made again: no error.
        [ "$part" != gateways ] || odoo_script checks/told_at_once.py "$run/parts/$name.conf" >"$run/told" 2>&1 ||
            { status=$? && cat "$run/told" >>"$run/$name.log"; }
        # Odoo prints this line once; it counts what ran, and an exit code alone would hide that nothing did.
        grep -oE '[0-9]+ failed, [0-9]+ error\(s\) of [0-9]+ tests' "$run/$name.log" | tail -n 1 >"$run/$name.said" || true
        # A browser opens connections that it then does not use; Odoo's server of tests calls each an error after 5 seconds.
        sed -i -E '/ ERROR .* werkzeug: .* Request timed out: /d' "$run/$name.log"
        ! grep -qE '^[0-9: ,-]+ [0-9]+ (ERROR|CRITICAL) ' "$run/$name.log" || status=1
        grep -qE '^0 failed, 0 error\(s\) of [1-9]' "$run/$name.said" || status=1
        ;;
    esac
    printf '%s\t%s\t%s\t%s\n' "$name" "$status" "$((SECONDS - began))" "$part" >"$run/$name.status"
    [ "$status" = 0 ] || say "red: $part"
    say "$((SECONDS - began)) s: $part: $(tail -n 1 "$run/$name.said")"
}

# What ran, and what of it is red. Ends the script.
odoo_parts_told() {
    local whole=$1 status=$2 ran=0 written name red='' code seconds part
    grep -hE '^[0-9: ,-]+ [0-9]+ WARNING ' "$run"/*.log | grep -vE 'py.warnings|Transient module states' | cut -d' ' -f4- |
        sed -E 's/^(WARNING) \S+ /\1 /' | sort -u | head -n 20 >&2 || true
    if [ ! -e "$(find "$run" -maxdepth 1 -name '*.status' -print -quit)" ]; then
        tail -n 40 "$run/install.log" >&2
        die "the addons were not installed: NO TEST WAS RUN"
    fi
    while IFS= read -r part; do
        part=${part%%$'\t'*}
        name=$(tr -c 'a-z0-9A-Z\n' _ <<<"$part" | tail -c 60)
        code=1 seconds='?'
        [ ! -e "$run/$name.status" ] || IFS=$'\t' read -r name code seconds part <"$run/$name.status"
        [ "$code" = 0 ] && continue
        red=$red${red:+, }$part
        say "== $part"
        # Each error with what belongs to it, up to the next line of the log.
        awk '/^[0-9]+-[0-9]+-[0-9]+ [0-9:,]+ [0-9]+ [A-Z]+ /{ on = $4 == "ERROR" || $4 == "CRITICAL" } on' "$run/$name.log" | head -n 150 >&2
        [ ! -e "$run/$name.said" ] || cat "$run/$name.said" >&2
        grep -qE ' (ERROR|CRITICAL) ' "$run/$name.log" || tail -n 40 "$run/$name.log" >&2
    done <"$run/list"
    ran=$(sed -nE 's/.* of ([0-9]+) tests/\1/p' "$run"/*.said | awk '{ all += $1 } END { print all + 0 }')
    if [ -n "$whole" ]; then
        awk 'match($0, /Starting Test[A-Za-z]+\.test_/) { split(substr($0, RSTART + 9), words, "."); count[words[1]]++ }
            END { for (class in count) printf "%4d %s\n", count[class], class }' "$run"/*.log | sort -k2
        cat "$run/upgrade.said" "$run/journey.said" "$run/kept.said" "$run/faults.said" 2>/dev/null || true
        written=$(cat "$root"/isp-odoo/isp_management*/tests/*.py |
            grep -cE '^    def test_')
        [ "$ran" -ge "$written" ] || red="$red${red:+, }$ran tests ran of $written that are written"
    fi
    if [ -n "$red" ] || [ "$status" != 0 ]; then
        say "error: red: ${red:-what ran the parts ($status)}; $ran tests ran"
        exit 1
    fi
    echo "$ran tests ran in $(wc -l <"$run/list") parts, every one green"
}
