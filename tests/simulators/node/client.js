// Drives a router with node-routeros, a client that shares no code with this project, and prints
// what it saw as JSON.   node client.js MODULES HOST PORT USER PASSWORD
"use strict";

const path = require("path");

const [modules, host, port, user, password] = process.argv.slice(2);
const { RouterOSAPI } = require(path.join(modules, "node-routeros"));

function connection(secret) {
    return new RouterOSAPI({ host, port: Number(port), user, password: secret, timeout: 10 });
}

async function failure(promise) {
    try {
        await promise;
        return null;
    } catch (error) {
        return error.message;
    }
}

// The first change that is heard. Commands may overtake each other on their way, so a change made
// before the router listens is made again.
function listenOnce(api, change) {
    return new Promise((resolve, reject) => {
        let timer = null;
        const stream = api.stream(["/ppp/secret/listen"], async (error, packet) => {
            clearInterval(timer);
            if (error) return reject(error);
            await stream.stop();
            resolve(packet);
        });
        timer = setInterval(() => change().catch(reject), 50);
    });
}

async function main() {
    const seen = { wrong_password: await failure(connection("wrong").connect()) };
    const api = connection(password);
    await api.connect();
    seen.loaded = (await api.write("/ppp/secret/print")).length;
    seen.added = await api.write("/ppp/secret/add", [
        "=name=ram",
        "=password=p=q w",
        "=profile=default",
        "=comment=house 7",
    ]);
    const id = seen.added[0].ret;
    await api.write("/ppp/secret/set", [`=.id=${id}`, "=service=pppoe", "=disabled=yes"]);
    seen.row = (await api.write("/ppp/secret/print", ["?name=ram"]))[0];
    seen.or = await api.write("/ppp/secret/print", [
        "=.proplist=name",
        "?name=user0",
        "?name=user1",
        "?#|",
    ]);
    // All at once, each on a channel (tag) of its own.
    const numbers = await Promise.all(
        [...Array(50).keys()].map((n) =>
            api.write("/ppp/secret/print", ["=.proplist=name", `?name=user${n}`])
        )
    );
    seen.in_flight = numbers.map((rows) => rows[0].name);
    seen.listened = await listenOnce(api, () =>
        api.write("/ppp/secret/set", [`=.id=${id}`, `=comment=heard ${Date.now()}`])
    );
    seen.errors = [
        await failure(api.write("/ppp/secret/add", ["=name=ram"])),
        await failure(api.write("/ppp/secret/add", ["=name=x", "=profile=missing"])),
        await failure(api.write("/ppp/secret/remove", ["=.id=*FFFF"])),
    ];
    await api.write("/ppp/secret/remove", [`=.id=${id}`]);
    seen.left = (await api.write("/ppp/secret/print")).length;
    await api.close();
    console.log(JSON.stringify(seen));
}

// The library can leave a timer behind that would keep the program from ending.
main()
    .then(() => process.exit(0))
    .catch((error) => {
        console.error(error);
        process.exit(1);
    });
