import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { browserAddress } from "./address.ts";
import { Page } from "./components/page.tsx";
import { liveWithPage } from "./connection/page-life.ts";
import { browserKeep, Person, randomSecret, windowId } from "./person/person.ts";
import { openShowcase } from "./showcase.ts";
import "./styles/theme.css";
import "./styles/page.css";
import "./styles/header.css";
import "./styles/people.css";
import "./styles/messages.css";
import "./styles/cursors.css";
import "./styles/composer.css";
import "./styles/dialogs.css";
import "./styles/side.css";

const showcase = openShowcase({
  url: `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`,
  address: browserAddress(),
  person: new Person(browserKeep("browser"), randomSecret),
  window: windowId(browserKeep("window"), randomSecret),
});
liveWithPage(showcase.connection);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <Page showcase={showcase} />
  </StrictMode>,
);
