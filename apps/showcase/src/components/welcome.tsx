import { Logo } from "./logo.tsx";
import { NameForm } from "./name-form.tsx";

/** The first thing a visitor sees: the one question before the room. */
export function Welcome({ room, onName }: { room: string; onName: (name: string) => void }) {
  return (
    <main className="welcome">
      <div className="welcome-card">
        <Logo />
        <h1>
          You are about to enter <strong>{room}</strong>
        </h1>
        <p>Whatever is said there is stored before anybody else sees it, and nothing is lost on the way.</p>
        <NameForm
          question="What shall people call you?"
          value=""
          action="Enter"
          onAnswer={(name) => {
            onName(name);
            return undefined;
          }}
        />
      </div>
    </main>
  );
}
