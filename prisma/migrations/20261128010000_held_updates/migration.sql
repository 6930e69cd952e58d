-- CreateTable
CREATE TABLE "HeldUpdate" (
    "botId" BIGINT NOT NULL,
    "updateId" INTEGER NOT NULL,
    "chatId" BIGINT NOT NULL,
    "body" TEXT NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "nextTry" TIMESTAMPTZ(3) NOT NULL,
    "heldAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "HeldUpdate_pkey" PRIMARY KEY ("botId","updateId")
);

-- CreateIndex
CREATE INDEX "HeldUpdate_botId_chatId_updateId_idx" ON "HeldUpdate"("botId", "chatId", "updateId");

-- CreateIndex
CREATE INDEX "HeldUpdate_botId_nextTry_idx" ON "HeldUpdate"("botId", "nextTry");
